"""Apache Kafka's own jars, named by `deploy/kafka/pom.xml` and fetched once by Maven into `.waybill/kafka/<version>`.

What is missing (Maven, Java, the checkout) is said in one line with what to do about it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from waybill_common.embedded.librdkafka import KafkaFailed

DOWNLOAD_SECONDS = 900.0
OLDEST_JAVA = 17
POM = Path("deploy/kafka/pom.xml")


def find_pom() -> Path:
    """`deploy/kafka/pom.xml` of the checkout that the current directory lies in."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / POM).exists():
            return folder / POM
    raise KafkaFailed(f"no {POM} above {Path.cwd()}: run this inside a checkout, or set WAYBILL_KAFKA")


def version(pom: Path) -> str:
    found = re.search(r"<kafka\.version>([^<]+)</kafka\.version>", pom.read_text())
    if found is None:
        raise KafkaFailed(f"{pom} names no <kafka.version>")
    return found.group(1)


def artifacts(pom: Path) -> Path:
    """The folder with the broker's jars, fetched on first use."""
    target = pom.resolve().parents[2] / ".waybill" / "kafka" / version(pom)
    if target.exists():
        return target
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaFailed(
            "no `mvn` on PATH to fetch Apache Kafka with: install Maven, start Docker, or set WAYBILL_KAFKA"
        )
    java_program()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".fetching-", dir=target.parent))
    try:
        command = [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={draft}"]
        got = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False
        )
        if got.returncode != 0:
            reason = next((line for line in got.stdout.splitlines() if "ERROR" in line), "it said nothing")
            raise KafkaFailed(f"Maven could not fetch Apache Kafka {version(pom)}: {reason}")
        # Renamed when whole, so that nobody runs half a broker. Another process may have been faster.
        if not target.exists():
            draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def java_program() -> str:
    java = shutil.which("java")
    if java is None:
        raise KafkaFailed(
            f"no `java` on PATH to run Apache Kafka with: install Java {OLDEST_JAVA}, start Docker,"
            " or set WAYBILL_KAFKA"
        )
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S603
    found = re.search(r'version "(\d+)', said)
    if found is None or int(found.group(1)) < OLDEST_JAVA:
        first = (said.strip().splitlines() or ["no version"])[0]
        raise KafkaFailed(f"Apache Kafka needs Java {OLDEST_JAVA} or newer, {java} is: {first}")
    return java
