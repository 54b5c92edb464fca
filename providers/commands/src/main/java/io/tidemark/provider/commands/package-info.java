/** Programs of the host, run without a shell and within limits, and what else a provider lacks on it. */
@NullMarked
package io.tidemark.provider.commands;

import org.jspecify.annotations.NullMarked;
