noinst_LIBRARIES += %reldir%/libhf-template.a
%canon_reldir%_libhf_template_a_SOURCES = \
	%reldir%/arith.c %reldir%/arith.h \
	%reldir%/attribute.c \
	%reldir%/builtin.c %reldir%/builtin.h \
	%reldir%/call.c \
	%reldir%/convert.c \
	%reldir%/escape.c \
	%reldir%/eval.h \
	%reldir%/expression.c \
	%reldir%/filters.h \
	%reldir%/filters_mapping.c \
	%reldir%/filters_number.c \
	%reldir%/filters_select.c \
	%reldir%/filters_sequence.c \
	%reldir%/fold.c \
	%reldir%/frame.c \
	%reldir%/lexer.c %reldir%/lexer.h \
	%reldir%/loop.c \
	%reldir%/macro.c \
	%reldir%/methods.h \
	%reldir%/module.c \
	%reldir%/number.h \
	%reldir%/objects.c \
	%reldir%/parser.c %reldir%/parser.h \
	%reldir%/scope.c \
	%reldir%/statement.c \
	%reldir%/parser_statements.c \
	%reldir%/tables.c \
	%reldir%/template.c %reldir%/template.h \
	%reldir%/tests.c \
	%reldir%/text.c %reldir%/text.h \
	%reldir%/tree.h
