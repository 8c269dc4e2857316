"""`waybill up`, what `make run` calls: every part as a process of its own on this machine, no Docker, no Java."""
