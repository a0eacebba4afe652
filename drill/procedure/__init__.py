"""What the drill knows of Camunda's versions and their procedures, as data: worked out apart from the program that it judges."""
