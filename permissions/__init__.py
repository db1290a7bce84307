"""Who is calling, what that caller may do, and the permission classes that guard fields."""
