"""What shoppers wrote and was misunderstood or unsure: to be assigned by a designer, as an example of what was meant."""
