// Package arch holds the tests of the module's shape.
package arch
