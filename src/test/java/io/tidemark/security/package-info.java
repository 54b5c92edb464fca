@NullMarked
package io.tidemark.security;

import org.jspecify.annotations.NullMarked;
