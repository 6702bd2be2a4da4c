"""What every part must do, as classes of tests: subclass one, say how your part is made, and run pytest."""

import pytest

pytest.register_assert_rewrite(*(f"{__name__}.{name}" for name in ("agent", "memory", "student", "task", "teacher")))
