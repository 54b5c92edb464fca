/** What providers of block devices share: open devices, where they are mounted, ranges, and the lock of one instance. */
@NullMarked
package io.tidemark.provider.devices;

import org.jspecify.annotations.NullMarked;
