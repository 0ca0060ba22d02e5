"""Generated from protos/kineseg/v1 by `make protos`: do not edit."""
