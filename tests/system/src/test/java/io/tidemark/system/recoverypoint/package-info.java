/** Recovery points of a real PostgreSQL on a real file system, and what happens when something dies half way. */
@NullMarked
package io.tidemark.system.recoverypoint;

import org.jspecify.annotations.NullMarked;
