"""Entities: from a teacher's words, a user's cells and a student's tags to spans, and how spans are scored."""
