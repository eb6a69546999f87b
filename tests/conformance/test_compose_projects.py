"""Whole compose files: is each one right or wrong, as the recorded answers say?

A key that is refused because it is not supported yet counts as a disagreement.
"""

from agents.compose import check
from tests.conformance.oracles import Record, check_score, score_records


def agrees_on_verdict(record: Record) -> bool:
    files = record["files"]
    if len(files) != 1:
        return False
    variables = {
        key: value for key, value in (record["environment"] or {}).items() if value is not None
    }
    checked = check(
        {"compose.yml": files[0].get("content") or ""},
        config_files=("compose.yml",),
        project_name=record["project_name"] or "",
        variables=variables,
        profiles=record["profiles"] or (),
        working_dir=record["working_dir"] or "",
    )
    return (checked.project is None) == (record["error"] is not None)


def test_it_agrees_on_which_files_are_right() -> None:
    check_score(score_records("compose/load_project", agrees_on_verdict))
