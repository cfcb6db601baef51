"""Rules about the repository itself that no other tool looks at."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NOT_PACKAGES_OF_THE_PRODUCT = {"tests", "benchmarks"}
CATEGORIES = {"unit", "integration", "contract", "scenario", "e2e", "browser"}

# Put together here so that this file itself does not break its rule.
REGISTRY_HOSTS = [
    ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs"), ("deb", "debian"))
]
MACHINE_FOLDERS = [
    "/".join(("", *parts, ""))
    for parts in (("work", "main"), ("work", "shared"), ("root",), ("home", "user"), ("opt", "pypi"))
]


def root_packages_on_disk() -> set[str]:
    return {marker.parent.name for marker in ROOT.glob("*/__init__.py")} - NOT_PACKAGES_OF_THE_PRODUCT


def committed_texts() -> list[tuple[str, str]]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    texts = []
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if not path.is_file():
            continue
        content = path.read_bytes()
        if b"\0" not in content[:8000]:
            texts.append((name, content.decode("utf-8", errors="replace")))
    return texts


def test_every_root_package_is_under_the_import_contracts():
    assert root_packages_on_disk() == set(PROJECT["tool"]["importlinter"]["root_packages"])


def test_every_root_package_is_packaged_by_its_exact_name():
    listed = PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]

    assert sorted(listed) == sorted(pattern for name in root_packages_on_disk() for pattern in (name, f"{name}.*"))


@pytest.mark.parametrize(
    "module",
    [
        "kernel.interval",
        "booking.values",
        "booking.availability",
        "booking.rules",
        "calendar_sync.plan",
        "dialog.commands",
        "dialog.interpreter",
        "dialog.policy",
        "dialog.timewords",
        "dialog.understanding",
    ],
)
def test_a_module_that_decides_is_under_the_contract_that_forbids_input_and_output(module: str):
    [contract] = [
        c for c in PROJECT["tool"]["importlinter"]["contracts"] if c["name"] == "Decisions do no input or output"
    ]
    path = ROOT / module.replace(".", "/")

    # A pattern that matches nothing is silently content, so a module that was renamed would be free.
    assert path.with_suffix(".py").exists() or (path / "__init__.py").exists()
    assert f"*.{module.split('.')[1]}" in contract["source_modules"]


def test_every_test_module_declares_its_category():
    undeclared = [
        str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("tests/**/test_*.py")) if not declares_category(path)
    ]

    assert undeclared == []


def test_no_committed_file_names_a_registry_host():
    named = [(name, host) for name, text in committed_texts() for host in REGISTRY_HOSTS if host in text]

    assert named == []


def test_no_committed_file_names_a_folder_of_one_machine():
    named = [(name, folder) for name, text in committed_texts() for folder in MACHINE_FOLDERS if folder in text]

    assert named == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-test.lock"])
def test_a_lock_file_holds_versions_and_hashes_and_no_address(name: str):
    text = (ROOT / name).read_text()

    assert re.findall(r"https?:|file:|^--?(?:i|index-url|extra-index-url|find-links|f)\b", text, re.MULTILINE) == []
    assert len(re.findall(r"^[a-z0-9._-]+==", text, re.MULTILINE)) > 50
    assert len(re.findall(r"^[a-z0-9._-]+==[^\n]*(?<!\\)$", text, re.MULTILINE)) == 0, "a version without a hash"


def test_the_versions_of_the_product_are_those_the_tests_ran_with():
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[a-z0-9._-]+==[^ \n]+", (ROOT / name).read_text(), re.MULTILINE))

    assert pins("requirements.lock") - pins("requirements-test.lock") == set()


def test_every_library_the_product_imports_is_declared():
    declared = {normalised(requirement) for requirement in PROJECT["project"]["dependencies"]}
    distributions = packages_distributions()
    imported = {
        name for package in root_packages_on_disk() for path in (ROOT / package).rglob("*.py") for name in imports(path)
    }
    libraries = imported - root_packages_on_disk() - sys.stdlib_module_names

    undeclared = {name for name in libraries if not {normalised(d) for d in distributions.get(name, [name])} & declared}

    # These come as parts of the interface of Flask, LangChain and caldav (whose errors are niquests').
    assert undeclared - {"werkzeug", "jinja2", "markupsafe", "langchain_core", "niquests"} == set()


def normalised(requirement: str) -> str:
    return re.split(r"[\[<>=~ ;]", requirement, maxsplit=1)[0].lower().replace("_", "-").replace(".", "-")


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    modules = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return {module.split(".")[0] for module in modules}


def declares_category(path: Path) -> bool:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets):
            marks = {n.attr for n in ast.walk(node.value) if isinstance(n, ast.Attribute)}
            return bool(marks & CATEGORIES)
    return False
