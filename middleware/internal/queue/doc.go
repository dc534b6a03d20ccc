// Package queue is the waiting queue of the stages in which requests wait.
//
// Who has to be served soonest comes first (Earliest Deadline First: Liu and
// Layland, 1973). A priority moves a deadline forward, so that ageing needs no
// bookkeeping: whoever waits gets closer to its deadline, and is overtaken only
// by requests that come before a certain time. Tenants take turns, whatever
// each of them has queued (fair queueing: Nagle, RFC 970).
//
// Waiters without a deadline stand in the same line, as though the longest
// time that they may wait was one: so neither kind starves the other. Only
// among themselves, and only while their delay stands above a target, the
// newest takes the turn that the oldest has come to, and the oldest are shed
// with the control law of CoDel (RFC 8289): after that long it is likely that
// nobody is there any more to read the answer.
//
// Nothing here locks or bounds itself: the owner does both.
package queue
