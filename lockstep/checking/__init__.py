"""Drives somebody's code through scenarios, holds each number against the formula, and names what differs."""
