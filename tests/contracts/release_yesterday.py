"""Make today's messages and schemas yesterday's: `make release-contracts` runs this when a release is cut."""

import importlib.util
import json
from pathlib import Path

from waybill_contracts.documents import schema_of
from waybill_contracts.envelope import encode
from waybill_contracts.registry import EVENTS

HERE = Path(__file__).parent


def main() -> None:
    spec = importlib.util.spec_from_file_location("examples", HERE / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    examples = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(examples)
    for kind, event in EVENTS.items():
        message = json.loads(encode(examples.example(kind), source="release").value or b"")
        for name, content in (("message", message), ("schema", schema_of(event))):
            text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
            (HERE / "yesterday" / f"{kind}.{name}.json").write_text(text)


if __name__ == "__main__":
    main()
