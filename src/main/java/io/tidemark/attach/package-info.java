/** Exports as block devices of this host: a relay that outlives the site's restarts, and the kernel's device on it. */
@NullMarked
package io.tidemark.attach;

import org.jspecify.annotations.NullMarked;
