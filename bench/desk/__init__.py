"""The agents' desk with many agents and many conversations."""
