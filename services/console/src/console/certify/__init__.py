"""Certification of an HTTP source (OP-15): does an implementation keep the rules of `http-source.openapi.yaml`?

Everything is asked from the document alone, by a client of its own: nothing of how Waybill itself calls sources is used
here, so that a misunderstanding in one is seen by the other. The document in this folder is the one in `docs/`, byte by
byte (a test holds that), so that an installed command line has it.
"""

from console.certify.rules import RULES, Rule, Verdict
from console.certify.run import Wish, certify
from console.certify.supplier import Unreachable

__all__ = ["RULES", "Rule", "Unreachable", "Verdict", "Wish", "certify"]
