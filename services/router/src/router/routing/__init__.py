"""Who ships what, exactly: pure rules (standard library, pydantic and contracts alone).

`plan.plan_order` is the way in; DESIGN section 6 pins the order in which plans are compared.
"""
