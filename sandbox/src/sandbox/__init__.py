"""Emulated platforms with their own rules, scripted faults and an own record of what really happened.

Promises: what a platform here recorded is the truth that a run is judged by (`report.py`); it is kept on disk and
outlives the process. Knows nothing of the product's code, so that it can be trusted as its checker.
"""
