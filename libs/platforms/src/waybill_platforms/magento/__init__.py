"""Magento 2 and Adobe Commerce, REST V1."""
