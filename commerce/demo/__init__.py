"""A made-up shop to try everything with: the same on every day but for its dates, which count from today.

`load_demo` fills an empty database; `personas` has the people to be and their orders; `guide` what to say as them.
"""

from commerce.demo.load import DemoReport, ShopNotEmpty, load_demo

__all__ = ["DemoReport", "ShopNotEmpty", "load_demo"]
