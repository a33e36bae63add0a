"""The workflows are frozen: a worker of the next release finishes what one of this release began."""

from __future__ import annotations

import inspect

from triage import engine


def test_names_steps_and_arguments_of_the_workflows_have_not_changed() -> None:
    """A change here strands jobs in flight: add at the end or behind `DBOS.patch`, and only then change this test."""
    assert (engine.APPLICATION, engine.APPLICATION_VERSION) == ("dispatch-triage", "1")
    assert (engine.TRIAGE_QUEUE, engine.PUBLISH_QUEUE) == ("triage", "publish")
    source = inspect.getsource(engine)
    for line in (
        '@DBOS.workflow(name="triage_message", max_recovery_attempts=MAX_RECOVERIES)\n'
        "def triage_message(message_id: str, run: str) -> None:\n"
        "    _understand(message_id, run)\n",
        '@DBOS.workflow(name="publish_message", max_recovery_attempts=MAX_RECOVERIES)\n'
        "def publish_message(message_id: str, run: str, attempt: int) -> None:\n"
        "    _publish(message_id, run, attempt)\n",
        '@DBOS.step(name="understand")\ndef _understand(message_id: str, run: str) -> None:\n',
        '@DBOS.step(name="publish")\ndef _publish(message_id: str, run: str, attempt: int) -> None:\n',
    ):
        assert line in source
