"""The agents' desk: people who answer, what they see, what they may do, and what is owed to those who wait."""
