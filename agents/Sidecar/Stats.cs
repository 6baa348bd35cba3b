using System.Globalization;
using System.Runtime.InteropServices;
using Cloud.Agents.Contract.Libvirt;

namespace Cloud.Agents.Sidecar;

/// <summary>What running domains of this cloud used so far, all in one question to libvirt.</summary>
internal static unsafe class Stats
{
    // Groups of virDomainStatsTypes: processor, memory, interfaces, disks.
    private const uint CpuTotal = 1 << 1, Balloon = 1 << 2, Vcpu = 1 << 3, Interface = 1 << 4, Block = 1 << 5;
    // Of virConnectGetAllDomainStatsFlags. A guest that somebody else is busy with tells what it can without waiting.
    private const uint Active = 1, NoWait = 1 << 29;
    private const int StringType = 7;

    internal static List<DomainStats> Of(ConnectHandle connect)
    {
        var count = Native.virConnectGetAllDomainStats(connect, CpuTotal | Balloon | Vcpu | Interface | Block, out var list, Active | NoWait);
        if (count < 0) throw Errors.Last(connect);
        try
        {
            var found = new List<DomainStats>(count);
            var records = (Native.StatsRecord**)list;
            for (var i = 0; i < count; i++)
                if (Marshal.PtrToStringUTF8(Native.virDomainGetNameRaw(records[i]->Domain)) is { } name && Domains.IsOurs(name)) found.Add(Of(name, Read(*records[i])));
            return found;
        }
        finally { Native.virDomainStatsRecordListFree(list); }
    }

    /// <summary>Names of the fields: virConnectGetAllDomainStats in libvirt's documentation.</summary>
    private static DomainStats Of(string name, Fields f) => new()
    {
        Name = name, Vcpus = (int)f.Number("vcpu.current"), CpuNs = f.Number("cpu.time"), MemoryKib = f.Number("balloon.current"), ResidentKib = f.Number("balloon.rss"),
        Disks = { Flows(f, "block", "rd.bytes", "wr.bytes", "rd.reqs", "wr.reqs") }, Nics = { Flows(f, "net", "rx.bytes", "tx.bytes", "rx.pkts", "tx.pkts") },
    };

    private static IEnumerable<Flow> Flows(Fields f, string kind, string bytesIn, string bytesOut, string ins, string outs)
    {
        for (var i = 0; i < f.Number($"{kind}.count"); i++)
        {
            var at = string.Create(CultureInfo.InvariantCulture, $"{kind}.{i}.");
            yield return new() { Device = f.Text(at + "name"), BytesIn = f.Number(at + bytesIn), BytesOut = f.Number(at + bytesOut), In = f.Number(at + ins), Out = f.Number(at + outs) };
        }
    }

    private static Fields Read(Native.StatsRecord record)
    {
        var fields = new Fields();
        var parameters = (Native.TypedParameter*)record.Parameters;
        for (var i = 0; i < record.Count; i++)
        {
            var field = Marshal.PtrToStringUTF8((IntPtr)parameters[i].Field) ?? "";
            if (parameters[i].Type == StringType) fields.Texts[field] = Marshal.PtrToStringUTF8(checked((IntPtr)parameters[i].Value)) ?? "";
            else fields.Numbers[field] = parameters[i].Value;
        }
        return fields;
    }

    private sealed class Fields
    {
        internal Dictionary<string, long> Numbers { get; } = new(StringComparer.Ordinal);
        internal Dictionary<string, string> Texts { get; } = new(StringComparer.Ordinal);
        /// <summary>0 for what this guest doesn't tell.</summary>
        internal long Number(string field) => Numbers.GetValueOrDefault(field);
        internal string Text(string field) => Texts.GetValueOrDefault(field, "");
    }
}
