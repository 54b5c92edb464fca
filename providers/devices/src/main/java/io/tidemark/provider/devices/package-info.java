/**
 * What providers share: open devices, where they are mounted, ranges, durable files, the lock of one instance, and how a
 * Btrfs send stream is laid out.
 */
@NullMarked
package io.tidemark.provider.devices;

import org.jspecify.annotations.NullMarked;
