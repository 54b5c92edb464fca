/** What the quiescers of databases that are spoken to by JDBC share. */
@NullMarked
package io.tidemark.consistency.jdbc;

import org.jspecify.annotations.NullMarked;
