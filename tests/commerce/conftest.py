"""Fixtures for the shop's tests."""

from tests.commerce.demo_shop import demo, demo_url  # noqa: F401 (fixtures)
