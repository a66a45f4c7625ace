"""README: every command in it is run, and every file it points at is there."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from federation.cli import main
from tests.harness import convert
from tests.harness.school_system import SchoolSystem
from tests.unit.node.exports import content, person

PROJECT = Path(__file__).resolve().parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BEFORE, MUNICIPALITY, OPERATOR, AUTHORITY, AFTER = re.split(
    r"^## (?:For a municipality|For the registry's operator|For the national authority|Running it)$",
    README,
    flags=re.MULTILINE,
)
BLOCKS = [*BLOCK.findall(BEFORE), *BLOCK.findall(AFTER)]
JOINING, *SOURCES = BLOCK.findall(MUNICIPALITY)
LOOKS = BLOCK.findall(OPERATOR)
STATISTICS = BLOCK.findall(AUTHORITY)
MANUAL = sorted((PROJECT / "docs" / "manual").glob("*.md"))
BY_CI_ALONE = ("system-tools", "test-system")
"""They need more than PyPI."""
RUN_BY_CI = {"make test"}
"""The command that runs these tests."""
NAMED = (
    *(f"node {each}" for each in ("join", "join node", "serve", "systems", "cases")),
    *(
        f"node {each}"
        for each in ("explain -", "say", "review", "drill", "ledger verify", "backup", "restore", "recover")
    ),
    *(f"node {each}" for each in ("routine list", "routine check", "attendance import", "residents import")),
    *("node report", "node journal verify", "demo --serve"),
    *("evaluator init", "evaluator accept", "registry init", "registry migrate"),
    *(f"federation {each}" for each in ("init", "ca", "admit", "sign", "add reader")),
    *(f"{role} doctor" for role in ("node", "evaluator", "registry", "query")),
    "dashboard",
)
"""Commands that stand in a sentence or a table: they exist, and what they do is tested where they are."""
EXAMPLE_API = "https://skolsystem.example.se/v2"


LOOK_AT_PAGES = f"""
fetch() {{ "{sys.executable}" - "$1" > "$2" <<END
import sys, time, urllib.request
for _ in range(120):
    try:
        print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode())
        break
    except OSError:
        time.sleep(0.5)
END
}}
fetch http://127.0.0.1:7560/en/ page
fetch http://127.0.0.1:7560/api/v2/tables api
"""
"""What a browser and an analyst's tool would ask, at the address that the README names."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the command `upprop` of this interpreter, as `.venv/bin` has it after `make`."""
    directory = tmp_path_factory.mktemp("bin")
    command = directory / "upprop"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m federation.cli "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return directory


def _run(script: str, directory: Path, path: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}", "PYTHONPATH": str(PROJECT)}
    bash = shutil.which("bash")
    assert bash is not None
    return subprocess.run(
        [bash, "-euo", "pipefail", "-c", script],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )


def test_every_command_stands_in_a_block_that_is_run_here_or_by_ci() -> None:
    assert (len(BLOCKS), len(SOURCES), len(LOOKS), len(STATISTICS)) == (5, 5, 1, 2)
    inline = set(re.findall(r"`(make [a-z-]+|upprop [a-z][^`]*)`", README))
    told = {
        f"make {target}"
        for target in ("demo", "test", *BY_CI_ALONE, "help", "test-long", "bench-nation", "bench-faults")
    }
    assert {command.removesuffix(" --help") for command in inline} - told == {f"upprop {command}" for command in NAMED}


def in_the_manual() -> list[str]:
    """Each command of the manual as it stands there, on one line."""
    found = set()
    for page in MANUAL:
        text = page.read_text(encoding="utf-8")
        for block in BLOCK.findall(text):
            found |= {line.partition(" #")[0].strip() for line in block.splitlines() if line.startswith("upprop ")}
        found |= {" ".join(each.split()) for each in re.findall(r"`(upprop [^`]+)`", BLOCK.sub("", text))}
    return sorted(each for each in found if not each.startswith("upprop <"))


@pytest.mark.parametrize("command", [*(f"upprop {each}" for each in NAMED), *in_the_manual()])
def test_commands_and_options_that_the_texts_name_exist(command: str) -> None:
    found: click.Command = main
    words = [word for word in shlex.split(command)[1:] if word != "--help"]
    while isinstance(found, click.Group) and words and not words[0].startswith("--"):
        word = words.pop(0)
        named = found.get_command(click.Context(found), word)
        assert named is not None, f"{command}: there is no {word}"
        found = named
    known = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= known, command


@pytest.mark.parametrize("page", MANUAL, ids=lambda page: page.stem)
def test_every_file_that_the_manual_points_at_is_there(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_what_the_registrys_operator_looks_at_works_as_it_stands(path: Path, tmp_path: Path) -> None:
    [block] = LOOKS
    setup = "upprop pki dev federation --members 0180,1480 --base-port 7660 && upprop registry migrate"
    script = (
        f"export UPPROP_REGISTRY_CONFIG=federation/registry/config.toml\n{setup}\nupprop registry evaluate\n{block}"
    )
    done = _run(script, tmp_path, path)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_make_demo_ends_with_the_truth_found(path: Path) -> None:
    assert BLOCKS[0].strip() == "make demo"
    # The environment is there already: whoever runs this has made it.
    done = _run(f"make -o .venv/.installed BIN='{path}' demo", PROJECT, path)
    assert done.returncode == 0, done.stderr
    found = dict(re.findall(r"^ +(\S.*?) {2,}(\d+) *$", done.stdout, re.MULTILINE))
    assert found["opened on the right day and with the right outcome"] == found["Cases that the truth asks for"] != "0"
    assert found["missed"] == found["False alarms"] == "0"


def test_ci_runs_every_test() -> None:
    assert BLOCKS[1].strip() in RUN_BY_CI
    script = (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.findall(r"^make .* ([a-z-]+)$", script, re.MULTILINE) == ["test", *BY_CI_ALONE]


def test_commands_to_try_by_hand_work_in_the_order_they_stand(path: Path, tmp_path: Path) -> None:
    # What the authority tries starts servers in one block and stops them in the other.
    for block in (*BLOCKS[2:], "\n".join((STATISTICS[0], LOOK_AT_PAGES, STATISTICS[1]))):
        done = _run(block, tmp_path, path)
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    assert (tmp_path / "trial" / "result.json").stat().st_size > 0
    assert "CHILDREN_LO95" in (tmp_path / "trial" / "counties.csv").read_text(encoding="utf-8")
    for name, type_ in (("page", "<!doctype html>"), ("api", '{"language"')):
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(type_)


def test_becoming_a_member_begins_as_it_stands(path: Path, tmp_path: Path) -> None:
    """That it ends well is tested with a registry and evaluators: test_admission.py, helm/TUTORIAL.md."""
    setup = "upprop pki dev dev --members 0180 --base-port 7640; cp dev/federation.toml dev/authority/authority.pub ."
    done = _run(f"export UPPROP_LANG=en; {setup}\n{JOINING}", tmp_path, path)
    assert done.returncode == 0, done.stderr
    assert "Read the words" in done.stdout


@pytest.mark.parametrize("block", SOURCES)
def test_each_source_of_a_municipality_works_as_it_stands(block: str, path: Path, tmp_path: Path) -> None:
    """In a node that has just been set up, with what an administrator would have: exports, a token, an API."""
    persons = [person(place) for place in range(30)]
    (tmp_path / "roster.json").write_bytes(content(persons))
    convert.write_oneroster(tmp_path / "roster.zip", convert.oneroster_tables(persons))
    setup = "upprop pki dev federation --members 0180 --base-port 7640 && upprop node migrate"
    with SchoolSystem(tmp_path / "school") as school:
        school.serve(persons)
        shutil.copy(school.token_file, tmp_path / "token")
        script = "\n".join(
            (
                "export UPPROP_NODE_CONFIG=federation/node-0180/config.toml UPPROP_LANG=en",
                setup,
                block.replace(EXAMPLE_API, school.url),
                "upprop node systems --json > systems.json",
            )
        )
        done = _run(script, tmp_path, path)
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    systems = json.loads((tmp_path / "systems.json").read_text(encoding="utf-8"))
    pushes = "client add" in block
    assert [each["system"] for each in systems] == ([] if pushes else ["main"])
    assert pushes is (tmp_path / "elevregister" / "client.key").exists()


@pytest.mark.parametrize(
    ("broken", "named"), [("*version_info*", "python3 of version 3.11"), ("*venv*", "venv module")]
)
def test_missing_piece_is_named_in_one_line(broken: str, named: str, path: Path, tmp_path: Path) -> None:
    """An interpreter that fails wherever its program holds `broken`, as an old one or one without venv does."""
    python = tmp_path / "python3"
    python.write_text(
        f'#!/bin/sh\ncase "$2" in {broken}) exit 1;; esac\nexec "{sys.executable}" "$@"\n', encoding="utf-8"
    )
    python.chmod(0o755)
    done = _run(f"make VENV='{tmp_path}/venv' PYTHON='{python}' demo", PROJECT, path)
    said = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(said) == 1
    assert named in said[0]
    assert not (tmp_path / "venv").exists()


def test_what_the_system_tests_need_is_named_where_it_cannot_be_installed(tmp_path: Path) -> None:
    """On a machine that has no Debian packages, and on one where somebody else is root."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "grep", "id"):
        (tools / name).symlink_to(str(shutil.which(name)))
    command = [str(PROJECT / "tests" / "system-tools.sh"), str(tmp_path / "tools"), "4.14.1", "2.2.2", "8.8.1"]

    def said() -> str:
        done = subprocess.run(command, env={"PATH": str(tools)}, capture_output=True, text=True)
        assert done.returncode == 1
        return done.stderr

    missing = "chromium systemd nodejs npm prometheus"
    assert said() == f"Missing: {missing}, and no apt-get to install it with. Install it by hand.\n"
    for name, answer in (("apt-get", "exit 9"), ("id", "echo 1000")):
        (tools / name).unlink(missing_ok=True)
        (tools / name).write_text(f"#!/bin/sh\n{answer}\n", encoding="utf-8")
        (tools / name).chmod(0o755)
    [line] = said().splitlines()
    assert line.endswith("Run as root once: apt-get install --no-install-recommends chromium systemd nodejs npm")


def test_help_lists_every_target_of_the_makefile(tmp_path: Path) -> None:
    done = _run("make help", PROJECT, tmp_path)
    listed = set(re.findall(r"^ +make ([a-z-]+)", done.stdout, re.MULTILINE))
    others = {"help", "demo", "test", "test-long", "check", "bench", "bench-faults", "bench-nation", "lock", "clean"}
    assert listed == {*others, *BY_CI_ALONE, "pictures", "dashboards"}


def test_every_file_it_points_at_is_there() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert targets
    assert [target for target in targets if not (PROJECT / target).exists()] == []
