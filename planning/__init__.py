"""What a run will cost: a dry run, a test of the connection, the teacher's agreement with the user."""
