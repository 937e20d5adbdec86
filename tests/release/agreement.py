#!/usr/bin/env python3
"""What stands in several files and has to be the same, and what is pinned. Needs nothing but Python: python3 tests/release/agreement.py

RELEASE_TAG=v1.2.3 checks besides that this is the version to be released.
"""

import os
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TAG = os.environ.get("RELEASE_TAG")


def text(path):
    return (ROOT / path).read_text()


def found(pattern, path):
    """The only match of a pattern in a file."""
    matches = re.findall(pattern, text(path), re.MULTILINE)
    assert len(matches) == 1, f"{path} has {len(matches)} matches of {pattern}"
    return matches[0]


VERSION = re.search(r'(?m)^version = "(.+)"', text("Cargo.toml"))[1]
CHART = "charts/cube-operator/Chart.yaml"


class Versions(unittest.TestCase):
    def test_the_lock_file_and_the_chart_have_the_version_of_the_program(self):
        for pattern, path in [
            (r'^name = "cube-operator"\nversion = "(.+)"', "Cargo.lock"),
            (r"^version: (.+)", CHART),
            (r'^appVersion: "(.+)"', CHART),
            (r"^ +image: ghcr.io/cube-operator/cube-operator:(.+)", CHART),
        ]:
            self.assertEqual(found(pattern, path), VERSION, f"{pattern} in {path}")

    def test_the_changelog_begins_with_this_version(self):
        heading = re.search(r"(?m)^## (.+)", text("CHANGELOG.md"))[1]
        self.assertEqual(heading.split(" ")[0], VERSION)
        if TAG:
            self.assertNotIn("unreleased", heading)

    def test_the_tag_is_this_version(self):
        self.assertIn(TAG, [None, "", f"v{VERSION}"])

    def test_rust_is_the_same_for_cargo_and_for_the_image(self):
        wanted = found(r'^rust-version = "(.+)"', "Cargo.toml")
        self.assertEqual(found(r"^FROM docker.io/library/rust:(.+)-bookworm@", "Dockerfile"), wanted)


    def test_the_image_has_the_program_that_is_measured(self):
        command = r"cargo rustc --release .*"
        measured = found(f"\t({command})", "Makefile").replace("$$", "$")
        self.assertEqual(found(f"RUN ({command})", "Dockerfile"), measured)
        for path in ["Dockerfile", "Makefile"]:
            found(r"(RUSTFLAGS=-Cprofile-use=\S+/cube-operator.profdata)", path)

    def test_the_image_is_built_with_a_file_for_each_benchmark(self):
        """Else cargo refuses the manifest."""
        names = re.findall(r'(?m)^\[\[bench\]\]\nname = "(.+)"', text("Cargo.toml"))
        self.assertTrue(names)
        for name in names:
            self.assertIn(f"benches/{name}.rs", text("Dockerfile"))


class Chart(unittest.TestCase):
    def test_artifact_hub_is_told_of_each_definition_and_of_no_other(self):
        told = re.search(r"(?ms)artifacthub.io/crds: \|\n(.+?)\n  \S", text(CHART))[1]
        files = list((ROOT / "crds").iterdir())
        self.assertEqual(len(files), told.count("- kind:"))
        for file in files:
            for field, pattern in [("kind", r"^    kind: (.+)"), ("name", r"^  name: (.+)"), ("version", r"^    name: (v\S+)")]:
                value = found(pattern, f"crds/{file.name}")
                self.assertRegex(told, rf"(?m)^    [- ] {field}: {re.escape(value)}$")

    def test_the_image_of_artifact_hub_is_that_of_the_values(self):
        repository = found(r"^  repository: (.+)", "charts/cube-operator/values.yaml")
        self.assertEqual(found(r"^ +image: (.+):.+", CHART), repository)


class Pins(unittest.TestCase):
    def test_each_base_of_the_image_has_a_tag_and_a_digest(self):
        bases = re.findall(r"(?m)^FROM (\S+)", text("Dockerfile"))
        self.assertEqual(len(bases), 2)
        for base in bases:
            self.assertRegex(base, r"^\S+/[\w.-]+:[\w.-]+@sha256:[0-9a-f]{64}$")

    def test_each_action_is_pinned_by_a_commit_and_says_its_version(self):
        for path, workflow in workflows():
            for action in re.findall(r"(?m)uses: (.+)", workflow):
                self.assertRegex(action, r"^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", path)

    def test_dependabot_knows_each_folder_with_pins(self):
        config = text(".github/dependabot.yml")
        for pattern in ["tests/tools/*/go.mod", "tests/**/requirements.txt"]:
            folders = [path.parent.relative_to(ROOT) for path in ROOT.glob(pattern)]
            self.assertTrue(folders)
            for folder in folders:
                self.assertRegex(config, rf"[\[ ]/{folder}[,\]]")


class Rights(unittest.TestCase):
    def test_each_job_names_its_rights_and_a_workflow_has_none(self):
        for path, workflow in workflows():
            self.assertIn("\npermissions: {}\n", workflow, path)
            jobs = workflow.split("\njobs:\n")[1]
            for job in re.split(r"(?m)^  (?=[a-z])", jobs)[1:]:
                self.assertIn("\n    permissions:\n", job, path)

    def test_no_checkout_leaves_its_token_behind(self):
        for path, workflow in workflows():
            checkouts = workflow.count("uses: actions/checkout@")
            self.assertEqual(workflow.count("persist-credentials: false"), checkouts, path)


class Pages(unittest.TestCase):
    def test_each_test_that_the_threat_model_names_exists(self):
        named = re.findall(r"`([\w/.-]+\.(?:rs|sh|py|yaml))::([^`]+)`", text("docs/threat-model.md"))
        self.assertGreater(len(named), 20)
        for path, name in named:
            self.assertTrue((ROOT / path).exists(), f"{path} does not exist")
            if path.endswith(".rs"):
                test = rf"#\[(?:\w+::)?test\b[^\n]*\]\s*(?:#\[[^\n]*\]\s*)*(?:async )?fn {name}\("
                self.assertTrue(re.search(test, text(path)), f"{path} has no test {name}")
            else:
                self.assertIn(name, text(path), f"{path} has no {name}")

    def test_no_example_has_kubectl_copy_a_secret_into_an_annotation(self):
        paths = ["README.md", "charts/cube-operator/templates/NOTES.txt", *(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/**/*.md"))]
        paths += [str(path.relative_to(ROOT)) for path in ROOT.glob("tests/demo*/**/*.py")]
        # A command of an example, or of the demo; prose may speak of the other way.
        commands = r'(?m)(?:^ *(?:\$ )?|[|&] )kubectl apply.*|kubectl\("apply".*'
        examples = [(path, line) for path in paths for line in re.findall(commands, text(path))]
        self.assertTrue(examples)
        for path, line in examples:
            self.assertIn("--server-side", line, path)


def workflows():
    return [(path.name, path.read_text()) for path in sorted((ROOT / ".github/workflows").iterdir())]


if __name__ == "__main__":
    unittest.main()
