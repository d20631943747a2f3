// Package devserver runs a real redis-server and a real mariadbd as child processes, for `neticket dev` and for tests.
//
// It guarantees that a server that was started answers, that it is the one we started and not another on the same
// port, and that nothing is left behind: when this process ends in any way, kill -9 included, its servers end with it
// and temporary folders are removed (see reaper.go). Servers listen on 127.0.0.1 only.
package devserver
