"""The emulated platforms. One joins by its folder and a line here; `README.md` says what the folder needs."""

from sandbox.bigcommerce.platform import BIGCOMMERCE
from sandbox.magento.platform import MAGENTO
from sandbox.shopify.platform import SHOPIFY
from sandbox.shops import Platform
from sandbox.woocommerce.platform import WOOCOMMERCE

PLATFORMS: tuple[Platform, ...] = (SHOPIFY, MAGENTO, WOOCOMMERCE, BIGCOMMERCE)
