/** Programs of the host, run without a shell and within limits. */
@NullMarked
package io.tidemark.provider.commands;

import org.jspecify.annotations.NullMarked;
