"""Parts of our own for EvoKD: a role, a task kind, a student and a teacher."""
