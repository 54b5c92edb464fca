/** Serves snapshots and volumes as network block devices (NBD): a thread a connection, images over the provider SPI. */
@NullMarked
package io.tidemark.export;

import org.jspecify.annotations.NullMarked;
