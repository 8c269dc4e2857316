"""The arrows between packages: import-linter holds them, and a planted violation proves that it can fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = Path(sys.executable).parent / "lint-imports"
PACKAGES = [*ROOT.glob("libs/*/src"), *ROOT.glob("services/*/src"), ROOT / "sandbox/src"]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """import-linter over the packages in `folder`, which hides the installed ones."""
    return subprocess.run(
        [sys.executable, str(LINT), "--config", str(ROOT / ".importlinter"), "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """All packages side by side, to be spoiled."""
    for source in PACKAGES:
        for package in source.iterdir():
            if package.is_dir():
                shutil.copytree(package, tmp_path / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_the_boundaries_hold(copied: Path) -> None:
    found = lint(copied)

    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(
    ("package", "planted", "contract"),
    [
        ("router", "import order_ingest", "services never import each other"),
        ("router", "import waybill_platforms", "the router calls no platform"),
        ("waybill_contracts", "import waybill_common", "services -> platforms -> contracts, common"),
        ("waybill_common", "import waybill_contracts", "services -> platforms -> contracts, common"),
        ("waybill_platforms", "import console", "services -> platforms -> contracts, common"),
        ("sandbox", "import waybill_contracts", "the sandbox judges"),
    ],
)
def test_a_planted_violation_is_seen(copied: Path, package: str, planted: str, contract: str) -> None:
    (copied / package / "planted.py").write_text(f"{planted}\n")

    found = lint(copied)

    assert found.returncode == 1
    assert any(contract in line and "BROKEN" in line for line in found.stdout.splitlines()), found.stdout


def test_pure_modules_import_nothing_that_does_io() -> None:
    """Rules are pure (DESIGN section 2): standard library, pydantic and contracts alone."""
    forbidden = ("asyncpg", "aiokafka", "httpx", "waybill_common.db", "fastapi", "socket", "asyncio", "sqlite3")
    pure = [
        *ROOT.glob("services/router/src/router/routing/*.py"),
        *ROOT.glob("services/*/src/*/lifecycle.py"),
        *ROOT.glob("services/*/src/*/normalize.py"),
        *ROOT.glob("services/*/src/*/schedule.py"),
        *ROOT.glob("libs/platforms/src/waybill_platforms/*/mapping.py"),
        ROOT / "services/console/src/console/stage.py",
        ROOT / "services/console/src/console/activity.py",
    ]
    imports = {
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in pure
        for line in path.read_text().splitlines()
        if line.strip().startswith(("import ", "from ")) and any(f" {name}" in line for name in forbidden)
    }

    assert len(pure) > 8
    assert not imports
