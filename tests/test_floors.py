"""The floors of the house: an import never points up, never in a circle, and each door to the outside is one."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
FLOOR = {"prompts": 0, "extractors": 1, "classifiers": 1, "triage": 2, "api": 3, "triage.cli": 3, "eval": 3}
# Who alone may import a package that reaches outside.
DOORS = {
    "odoorpc": {"triage.odoo.rpc"},
    "dbos": {"triage.engine"},
    "openai": {"triage.llm"},
    "langchain": {"triage.llm"},
    "langchain_core": {"triage.llm"},
    "langchain_openai": {"triage.llm"},
    "langsmith": {"triage.llm"},
    "pypdfium2": {"extractors.pdf_child", "extractors.ocr_child", "eval.bench.pdf", "eval.pages"},
    "pdfplumber": {"extractors.pdf_child", "eval.bench.pdf"},
}


def modules() -> dict[str, ast.Module]:
    found = {}
    for path in [ROOT / "api.py", *(p for room in FLOOR for p in (ROOT / room).rglob("*.py"))]:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports(tree: ast.Module, *, when_running: bool = False) -> set[str]:
    """Every imported module; with `when_running` only those that run when the module is imported."""
    nodes = (
        list(ast.walk(tree))
        if not when_running
        else [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
    )
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def floor(name: str) -> int:
    return FLOOR.get(name, FLOOR[name.split(".")[0]])


def test_no_import_points_up_and_neighbours_on_one_floor_do_not_know_each_other() -> None:
    trees = modules()
    assert len(trees) > 30
    for name, tree in trees.items():
        if name in ("triage.__main__",):  # the entry of `python -m triage`, which only calls the command line
            continue
        room = name.split(".")[0]
        for other in imports(tree) & trees.keys():
            assert floor(other) <= floor(name), f"{name} imports {other}, which stands above it"
            if floor(other) == floor(name) and floor(name) == 1:
                assert other.split(".")[0] == room, f"{name} imports its neighbour {other}"
        if room != "eval":  # the command line only hangs eval's own commands beneath `triage eval`
            allowed = {"eval.cli", "eval.cli.eval_app", "eval.cli.feedback_app"} if name == "triage.cli" else set()
            used = {other for other in imports(tree) if other.split(".")[0] == "eval"}
            assert used <= allowed, f"{name} uses {used - allowed}"


def test_no_circle_of_imports() -> None:
    trees = modules()
    graph = {name: imports(tree, when_running=True) & trees.keys() - {name} for name, tree in trees.items()}
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, f"a circle: {' -> '.join((*way, name))}"
        if name not in done:
            for other in graph[name]:
                visit(other, (*way, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_each_door_to_the_outside_is_opened_in_one_place() -> None:
    for name, tree in modules().items():
        for package in {other.split(".")[0] for other in imports(tree)} & DOORS.keys():
            assert name in DOORS[package], f"{name} imports {package}; only {DOORS[package]} may"
        if name.startswith("triage.odoo"):
            continue
        assert "httpx" not in imports(tree) or name in ("triage.cli", "triage.callbacks"), f"{name} imports httpx"


def test_every_dependency_has_its_line_among_the_decisions() -> None:
    told = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8").lower()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [re.split(r"[\[=]", dependency)[0] for dependency in project["dependencies"]]
    assert not [name for name in names if not all(word in told for word in name.split("-"))]
