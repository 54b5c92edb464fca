/** Two real sites, killed at every named moment. */
@NullMarked
package io.tidemark.system.kill;

import org.jspecify.annotations.NullMarked;
