/**
 * The block engine: checksum trees, block-hash indexes, deltas, changed ranges to changed blocks. Computes over bytes
 * that its ports hand it; opens no file, starts no thread, reads no clock.
 */
@NullMarked
package io.tidemark.block;

import org.jspecify.annotations.NullMarked;
