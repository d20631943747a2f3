package e2e

import "testing"

func (d *deployment) sound(t *testing.T) {}
