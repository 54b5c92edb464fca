/** State of one site in SQLite: one file, one process, every write durable on return. */
@NullMarked
package io.tidemark.store;

import org.jspecify.annotations.NullMarked;
