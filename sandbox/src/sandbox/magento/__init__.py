"""Magento 2 (REST V1), as its documentation and source say that it behaves."""
