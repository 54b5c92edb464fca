/** Acts on this host: the ports that control asks, and what carries them out. */
@NullMarked
package io.tidemark.agent;

import org.jspecify.annotations.NullMarked;
