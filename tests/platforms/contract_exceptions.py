"""Where a vendor's machine-readable file contradicts its own documentation, or says nothing of what we must call.

(platform, pattern of the complaint, why we stand by the request). Each is a fact about the file; a complaint that fits
none of these fails the check.
"""

EXCEPTIONS: tuple[tuple[str, str, str], ...] = (
    ("bigcommerce", r"GET /orders: parameter sort: '\w+:asc' is not one of",
     "the file lists bare names; its own text asks for `name:asc` or `name:desc`"),
    ("bigcommerce", r"GET /(catalog|inventory|shipping)/.*: no such operation",
     "described in the vendor's files of the catalogue, inventory and shipping APIs, which are not at hand"),
    ("magento", r"parameter fields is not known",
     "`fields` trims the answer of any call (documentation, 'Retrieve filtered responses'); the file has no common "
     "parameters"),
    ("woocommerce", r"parameter oauth_\w+ is not known",
     "one-legged OAuth 1.0a for stores without TLS travels in the query (documentation, 'Authentication over HTTP')"),
    ("woocommerce", r"parameter _fields is not known",
     "a parameter of WordPress itself that trims any answer; routes list their own parameters only"),
    ("woocommerce", r"OPTIONS .*: no such operation",
     "WordPress answers OPTIONS on each route with its description; the index lists methods that work on data"),
    ("woocommerce", r"POST /wc/v3/orders: body shipping: .*'phone' was unexpected",
     "stores since 5.6 keep a phone beside the shipping address and show it; the arguments leave it out"),
)  # fmt: skip
