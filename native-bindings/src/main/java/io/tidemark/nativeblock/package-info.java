/** The block engine: kernels over buffers, and the host calls that need C. Depends on jnr-ffi alone. */
@NullMarked
package io.tidemark.nativeblock;

import org.jspecify.annotations.NullMarked;
