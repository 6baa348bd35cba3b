using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;

namespace Cloud.Agents.Host.Linux;

/// <summary>
/// Text that a program reads: a configuration file or a batch of commands. What is filled into a line is of a type that
/// can't hold a line break, a blank or a quote; a string is taken only as a <see cref="Word"/>, which refuses them.
/// </summary>
public sealed class Script
{
    private readonly StringBuilder text = new();

    public bool IsEmpty => text.Length == 0;

    public Script Add([InterpolatedStringHandlerArgument("")] ref Line line)
    {
        _ = line;
        text.Append('\n');
        return this;
    }

    /// <summary>The beginning of a line that a later call ends.</summary>
    public Script Part([InterpolatedStringHandlerArgument("")] ref Line line)
    {
        _ = line;
        return this;
    }

    public Script Add(Script other)
    {
        text.Append(other.text);
        return this;
    }

    public override string ToString() => text.ToString();

    [InterpolatedStringHandler]
    public readonly ref struct Line(int literalLength, int formattedCount, Script script)
    {
        private readonly StringBuilder text = script.text.Reserve(literalLength + (formattedCount * 8));

        public void AppendLiteral(string value) => text.Append(value);
        public void AppendFormatted(Word value) => text.Append(value.Text);
        public void AppendFormatted(int value) => text.Append(CultureInfo.InvariantCulture, $"{value}");
        public void AppendFormatted(UInt128 value) => text.Append(CultureInfo.InvariantCulture, $"0x{value:x32}");
        public void AppendFormatted(Mac value) => text.Append(value.ToString());
        public void AppendFormatted(IPAddress value) => text.Append(value.ScopeFree());
        public void AppendFormatted(IPNetwork value) => text.Append(CultureInfo.InvariantCulture, $"{value.BaseAddress.ScopeFree()}/{value.PrefixLength}");
        public void AppendFormatted(InterfaceAddress value) => text.Append(CultureInfo.InvariantCulture, $"{value.Address.ScopeFree()}/{value.PrefixLength}");
        public void AppendFormatted(IEnumerable<Word> values) => Join(values, (line, v) => line.AppendFormatted(v));
        public void AppendFormatted(IEnumerable<int> values) => Join(values, (line, v) => line.AppendFormatted(v));
        public void AppendFormatted(IEnumerable<Mac> values) => Join(values, (line, v) => line.AppendFormatted(v));
        public void AppendFormatted(IEnumerable<IPNetwork> values) => Join(values, (line, v) => line.AppendFormatted(v));
        public void AppendFormatted(IEnumerable<IPAddress> values) => Join(values, (line, v) => line.AppendFormatted(v));

        private delegate void One<in T>(Line line, T value);

        private void Join<T>(IEnumerable<T> values, One<T> append)
        {
            var first = true;
            foreach (var value in values)
            {
                if (!first)
                    text.Append(',');
                first = false;
                append(this, value);
            }
        }
    }
}

/// <summary>A name, path or key word that may stand in generated text as it is.</summary>
public readonly record struct Word
{
    private static readonly System.Buffers.SearchValues<char> Allowed =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:/");

    private readonly string? text;

    /// <exception cref="HandlerFault">It isn't 1 to 255 letters, digits and <c>-._:/</c>.</exception>
    public Word(string text) => this.text = text.Length is > 0 and <= 255 && !text.AsSpan().ContainsAnyExcept(Allowed)
        ? text
        : throw new HandlerFault("a name holds characters that no generated configuration may hold", retry: false);

    public string Text => text ?? throw new InvalidOperationException("an empty word");

    public static implicit operator Word(string text) => new(text);

    public override string ToString() => Text;
}

internal static class ScriptExtensions
{
    internal static StringBuilder Reserve(this StringBuilder text, int more)
    {
        text.EnsureCapacity(text.Length + more);
        return text;
    }

    internal static string ScopeFree(this IPAddress address) => address.ToString().Split('%')[0];
}
