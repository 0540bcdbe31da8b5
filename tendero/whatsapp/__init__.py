"""What an operator asks of WhatsApp: is it set up, which templates are approved, what waits, how shoppers get there."""
