"""Tests of the parts that speak to the outside."""
