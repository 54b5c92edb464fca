/** Tests of running programs. */
@NullMarked
package io.tidemark.provider.commands;

import org.jspecify.annotations.NullMarked;
