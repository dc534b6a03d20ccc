// Package disk is a byte-bounded store of plain files behind gocache's store.StoreInterface: what it holds is found
// again after a restart, and several processes can use one folder.
//
// # Files
//
// One entry is one file in an envelope ([cachestore.Encode]): magic, version, lengths, times, SHA-256. Its name is the
// SHA-256 of the key in hex, in one of 256 folders by its first byte, so that no key can leave the folder. It is
// written under a random temporary name in the folder where it will be and then renamed, without an fsync: a reader sees
// the old entry or the new one, and what a crash of the machine leaves half written fails the checksum. Whatever is not
// the whole, undamaged entry of the key asked for is a miss, counted ([Stats.Damaged]) and deleted.
//
// Files are 0600 and folders that the store makes 0700. Entries are not encrypted. Files that the store could not have
// written by their name and place are never touched.
//
// # The bound
//
// Every file is charged in blocks of 4 KiB. The store keeps no index in memory: the time of last use is the file's
// modification time, set at most once a second, and whenever an eighth of max_bytes has been written, one goroutine
// looks through the folder and deletes what was used least recently until three quarters are left. A writer that is
// faster than that waits for it, so that max_bytes holds. Each further process on the same folder can add an eighth of
// max_bytes, because it looks no more often; so can the first writes after a start, while the first look is under way.
// Temporaries that are older than ten minutes belong to nobody any more and are removed on the way.
//
// # Life
//
// [New] does no I/O. [Store.Start] begins the first look through the folder, which otherwise begins with the first Set.
// [Store.Stop] ends it and waits for it. Nothing needs to be flushed.
//
// # Errors
//
// A full disk, a read-only folder, too many open files: a *cachestore.StoreError (cachestore.ErrStore), and never a wrong
// value. An entry that has expired is a miss by the clock of the machine, whoever wrote it.
package disk
