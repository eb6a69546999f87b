"""What is wrong with a Dockerfile is told with its line, before anything is run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.errors import AgentError, BuildError, NotSupportedError
from tests.agents.native.building import Workshop, workshop
from tests.agents.native.image_files import needs_root

pytestmark = [pytest.mark.root, needs_root]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    try:
        with workshop(tmp_path) as made:
            yield made
    except NotSupportedError as exc:
        pytest.skip(exc.message)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("FROM busybox\n\nRUM x\n", 3, "no instruction RUM"),
        ("FROM busybox\nCOPY a\n", 2, "a source and a destination"),
        ("FROM busybox\nUSER\n", 2, "needs an argument"),
        ("RUN x\nFROM busybox\n", 1, "first instruction must be FROM"),
        ("FROM nowhere:1\n", 1, "no image 'nowhere:1'"),
        ("FROM\n", 1, "needs an argument"),
        ("FROM a b\n", 1, "written as FROM"),
        ("FROM $NONE\n", 1, "is empty"),
        ("FROM busybox\nCOPY none /\n", 2, "'none' is not in the build context"),
        ("FROM busybox\nCOPY --from=none a /\n", 2, "no image 'none'"),
        ("FROM busybox\nCOPY --what=1 a /\n", 2, "no flag --what"),
        ("FROM busybox\nCOPY --chmod 755 Dockerfile /\n", 2, "needs a value"),
        ("FROM busybox\nCOPY --chmod=9 Dockerfile /\n", 2, "octal"),
        ("FROM busybox\nCOPY --chown=stranger Dockerfile /\n", 2, "stranger"),
        ("FROM busybox\nCOPY Dockerfile Dockerfile /etc/passwd\n", 2, "several sources"),
        ("FROM busybox\nCOPY . /etc/passwd\n", 2, "is no folder"),
        ("FROM busybox\nWORKDIR /etc/passwd\n", 2, "is no folder"),
        ("FROM busybox\nENV a\n", 2, "two arguments"),
        ("FROM busybox\nENV a=${b:?missing}\n", 2, "missing"),
        ("FROM busybox\nEXPOSE 99999\n", 2, "is no port"),
        ("FROM busybox\nSTOPSIGNAL SIGNOTHING\n", 2, "is no signal"),
        ("FROM busybox\nSHELL /bin/sh\n", 2, "JSON list"),
        ("FROM busybox\nHEALTHCHECK --interval=soon CMD x\n", 2, "is no duration"),
        ("FROM busybox\nONBUILD FROM x\n", 2, "ONBUILD"),
        ("FROM busybox\nCMD [1]\n", 2, "strings only"),
        ("FROM busybox\nRUN <<EOF\nx\n", 2, "not closed"),
        ("FROM busybox\nUSER stranger\nRUN true\n", 3, "stranger"),
        ("FROM busybox\nRUN exit 7\n", 2, "exit code 7"),
        ("# escape=x\nFROM busybox\n", 1, "escape character"),
    ],
)
def test_an_error_names_file_and_line(shop: Workshop, text: str, line: int, message: str) -> None:
    with pytest.raises(BuildError, match=message.replace("'", ".")) as caught:
        shop.build(text)
    assert (caught.value.file, caught.value.line) == ("Dockerfile", line)
    assert shop.leftovers() == []
    assert len(shop.store.list()) == 1


def test_a_misspelt_instruction_gets_a_hint(shop: Workshop) -> None:
    with pytest.raises(BuildError) as caught:
        shop.build("FROM busybox\nENTRIPOINT x\n")
    assert caught.value.hint == "Did you mean ENTRYPOINT?"


def test_an_error_further_down_is_found_before_the_first_command(shop: Workshop) -> None:
    with pytest.raises(BuildError):
        shop.build("FROM busybox\nRUN echo ran\nRUM x\n")
    assert shop.lines == []


@pytest.mark.parametrize(
    "step",
    [
        "ADD https://example.test/x /",
        "RUN --mount=type=cache,target=/x true",
        "COPY --parents a/b /",
        "RUN <<EOF\n#!/bin/sed\nEOF",
    ],
)
def test_what_is_not_done_yet_is_said_before_the_first_command(shop: Workshop, step: str) -> None:
    with pytest.raises(NotSupportedError) as caught:
        shop.build(f"FROM busybox\nRUN echo ran\n{step}\n")
    assert caught.value.line == 3
    assert shop.lines == []


def test_what_a_variable_or_a_base_brings_is_refused_at_its_step(shop: Workshop) -> None:
    with pytest.raises(NotSupportedError) as caught:
        shop.build("FROM busybox\nENV FROM=https://example.test/x\nADD $FROM /\n")
    assert caught.value.line == 3
    shop.build("FROM busybox\nONBUILD RUN --mount=type=cache,target=/x true\n", references=("b",))
    with pytest.raises(NotSupportedError):
        shop.build("FROM b\n")


def test_a_missing_dockerfile_is_named(shop: Workshop) -> None:
    with pytest.raises(BuildError, match="Other"):
        shop.build("", dockerfile="Other")


def test_a_dockerfile_cannot_be_outside_of_the_context(shop: Workshop) -> None:
    (shop.root / "Outside").write_text("FROM busybox\n")
    with pytest.raises(BuildError):
        shop.build("", dockerfile="../Outside")


def test_an_argument_that_nobody_declares_gets_a_warning(shop: Workshop) -> None:
    shop.build("FROM busybox\n", arguments={"UNKNOWN": "1", "HTTP_PROXY": "x"})
    assert "[Warning] The build argument UNKNOWN is not used." in shop.lines
    assert not [line for line in shop.lines if "HTTP_PROXY" in line]


def test_bad_names_for_the_image_are_refused_before_the_build(shop: Workshop) -> None:
    with pytest.raises(AgentError):
        shop.build("FROM busybox\nRUN echo ran\n", references=("Bad Name",))
    assert "ran" not in shop.lines
