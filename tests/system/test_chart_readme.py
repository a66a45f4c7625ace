"""What is written about the chart is so: the table of values is fresh, and the commands work."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.harness.chart import CHART, helm

HELM = CHART.parent
ROOT = HELM.parent
GUIDE = (HELM / "README.md").read_text(encoding="utf-8")

_BLOCK = re.compile(r"^( *)```(sh|yaml)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    """Code blocks of the guide, without the indentation of the list they stand in."""
    return [
        "\n".join(line.removeprefix(match[1]) for line in match[3].splitlines())
        for match in _BLOCK.finditer(GUIDE)
        if match[2] == language
    ]


COMMANDS = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("helm ")]
FILES = {block.splitlines()[0].removeprefix("# "): block for block in blocks("yaml")}


def test_the_table_of_values_is_fresh() -> None:
    done = subprocess.run([sys.executable, HELM / "readme.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_value_has_its_comment_in_the_table() -> None:
    page = (CHART / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.]+)` \| `.*` \| (.+) \|$", page, re.MULTILINE)
    assert len(rows) > 150
    assert len({name for name, _ in rows}) == len(rows)
    assert all(comment.endswith((".", "...")) for _, comment in rows)


def test_the_guide_has_values_for_each_role_and_commands() -> None:
    assert FILES.keys() == {"node.yaml", "registry.yaml", "evaluator.yaml", "reader.yaml", "watching.yaml"}
    assert {command.split()[1] for command in COMMANDS} >= {"lint", "template", "install", "upgrade"}


@pytest.mark.parametrize("command", dict.fromkeys(COMMANDS))
def test_each_command_of_the_guide_works(command: str, tmp_path: Path) -> None:
    (tmp_path / "helm").mkdir()
    (tmp_path / "helm" / "upprop").symlink_to(CHART)
    for name, content in FILES.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    _, verb, *arguments = shlex.split(command)
    if verb in ("install", "upgrade"):
        # What a cluster would be sent; none is asked.
        verb = "template"
    done = helm(verb, *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    if verb == "template":
        assert [each for each in yaml.safe_load_all(done.stdout) if each]


def test_secrets_that_the_guide_makes_are_those_that_its_values_name() -> None:
    made = set(re.findall(r"create (?:secret (?:tls|generic)|configmap) ([a-z-]+)", "\n".join(blocks("sh"))))
    named = set(re.findall(r"existing(?:Secret|ConfigMap): ([a-z-]+)", FILES["node.yaml"] + FILES["registry.yaml"]))
    assert named == made


def test_links_of_the_guide_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", GUIDE):
        if not target.startswith("https://"):
            assert (HELM / target).exists(), target
